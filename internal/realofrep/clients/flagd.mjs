// How long flagd's own evaluator for Node.js takes for one flag with a fractional split.
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { FlagdCore } = require('@openfeature/flagd-core');

const core = new FlagdCore();
core.setConfigurations(JSON.stringify({
  flags: {
    cta: {
      state: 'ENABLED', variants: { control: 'control', treatment: 'treatment' }, defaultVariant: 'control',
      targeting: { if: [{ in: [{ var: 'country' }, ['DE', 'AT']] }, { fractional: [['control', 50], ['treatment', 50]] }, 'control'] },
    },
  },
}));
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const ask = (i) => core.resolveStringEvaluation('cta', 'x', { targetingKey: `u-${i & 1023}`, country: 'DE' }, logger);
for (let i = 0; i < 20000; i++) ask(i); // warm
const n = 200000;
const began = process.hrtime.bigint();
for (let i = 0; i < n; i++) ask(i);
const took = Number(process.hrtime.bigint() - began);
console.log(JSON.stringify({ nanoseconds: took / n, variant: ask(1).variant, reason: ask(1).reason }));
