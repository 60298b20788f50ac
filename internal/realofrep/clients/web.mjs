// OpenFeature's SDK for browsers, which fetches all flags at once for one context.
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { OpenFeature } = require('@openfeature/web-sdk');
const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider');

const { url, token, questions } = JSON.parse(process.argv[2]);
const provider = new OFREPWebProvider({ baseUrl: url, pollInterval: -1, headers: token ? [['Authorization', `Bearer ${token}`]] : [] });
const contextOf = (q) => (q.unit ? { targetingKey: q.unit, ...q.attributes } : { ...q.attributes });
const ask = { boolean: 'getBooleanDetails', string: 'getStringDetails', number: 'getNumberDetails' };
const told = [];
let ready = false;
for (const q of questions) {
  let failed;
  try {
    await OpenFeature.setContext(contextOf(q));
    if (!ready) await OpenFeature.setProviderAndWait(provider);
    ready = true;
  } catch (e) {
    failed = e.code ?? String(e);
  }
  const d = OpenFeature.getClient()[ask[typeof q.default]](q.flag, q.default);
  told.push({ value: d.value, variant: d.variant, reason: d.reason, error: d.errorCode ?? failed, metadata: d.flagMetadata });
}
console.log(JSON.stringify(told));
process.exit(0);
