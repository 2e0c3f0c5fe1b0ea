// Asks the flags of one server through OpenFeature's own provider for web pages, and prints what it was told.
import { OpenFeature } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

const { baseUrl, token, context, asked } = JSON.parse(process.argv[2]);
const provider = new OFREPWebProvider({
  baseUrl,
  pollInterval: -1,
  timeoutMs: 3000,
  headers: [["Authorization", `Bearer ${token}`]],
});
let failed = null;
try {
  await OpenFeature.setContext(context);
  await OpenFeature.setProviderAndWait(provider);
} catch (error) {
  failed = { name: error.constructor.name, message: String(error.message), code: error.code ?? null };
}
const client = OpenFeature.getClient();
const ask = {
  boolean: (key) => client.getBooleanDetails(key, false),
  string: (key) => client.getStringDetails(key, "default"),
  integer: (key) => client.getNumberDetails(key, -1),
  float: (key) => client.getNumberDetails(key, -1.5),
  object: (key) => client.getObjectDetails(key, { is: "default" }),
};
const told = asked.map(([type, key]) => ask[type](key));
console.log(JSON.stringify({ failed, status: client.providerStatus, told }));
await OpenFeature.close();
