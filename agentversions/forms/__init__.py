"""The forms of Build: what a page sends, checked and turned into what a service takes."""
