"""The demo: voice and chat agents with histories, written as files so that they can be read without the product."""
