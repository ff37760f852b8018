import fc from 'fast-check';

// A fixed seed keeps every run repeatable; FC_SEED=<n> or FC_SEED=random explores, FC_RUNS=<n> tries more cases.
const seed = process.env['FC_SEED'];

fc.configureGlobal({
  numRuns: Number(process.env['FC_RUNS'] ?? 40),
  ...(seed === 'random' ? {} : { seed: Number(seed ?? 20150319) }),
});
