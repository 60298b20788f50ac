// OpenFeature's SDK for servers. Reads questions as JSON, writes what it was told.
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { OpenFeature } = require('@openfeature/server-sdk');
const { OFREPProvider } = require('@openfeature/ofrep-provider');

const { url, token, questions } = JSON.parse(process.argv[2]);
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers: token ? [['Authorization', `Bearer ${token}`]] : [] }));
const client = OpenFeature.getClient();
const ask = { boolean: 'getBooleanDetails', string: 'getStringDetails', number: 'getNumberDetails' };
const told = [];
for (const q of questions) {
  const context = { ...q.attributes };
  if (q.unit) context.targetingKey = q.unit;
  const d = await client[ask[typeof q.default]](q.flag, q.default, context);
  told.push({ value: d.value, variant: d.variant, reason: d.reason, error: d.errorCode, metadata: d.flagMetadata });
}
console.log(JSON.stringify(told));
await OpenFeature.close();
