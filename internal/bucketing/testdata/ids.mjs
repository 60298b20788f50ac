// What the vendors' own SDKs for Node.js assign to 20,000 units, a tenth of them beyond
// ASCII. GrowthBook's variation (-1: not in the experiment), and of Unleash whether the
// rollout has the unit and its variant.
import { createRequire } from 'node:module';

const require = createRequire(process.env.MODULES + '/');
const { GrowthBook } = require('@growthbook/growthbook');
const Rollout = require('unleash-client/lib/strategy/flexible-rollout-strategy').default;
const { selectVariantDefinition } = require('unleash-client/lib/variant');

const rollout = new Rollout();
const variants = [400, 350, 250].map((weight, i) => ({ name: `${i}`, weight }));
const out = { units: [], growthbook: [], rollout: [], variant: [] };
for (let i = 0; i < 20000; i++) {
  const unit = i % 10 === 9 ? `ü-日-${i}` : `user-${i}`;
  const gb = new GrowthBook({ attributes: { id: unit } });
  const run = gb.run({ key: 'cta', variations: [0, 1, 2], weights: [0.4, 0.35, 0.25], coverage: 0.8, hashVersion: 2, seed: 'cta-seed' });
  out.units.push(unit);
  out.growthbook.push(run.inExperiment ? run.variationId : -1);
  out.rollout.push(rollout.isEnabled({ rollout: '35', stickiness: 'userId', groupId: 'cta' }, { userId: unit }));
  out.variant.push(Number(selectVariantDefinition('cta', 'userId', variants, { userId: unit }).name));
}
console.log(JSON.stringify(out));
