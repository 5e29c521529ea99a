import { expect, it } from "vitest";
import { fuzzLanguage } from "../../scripts/fuzz-language.ts";

const count = 20_000;

it(`answers ${count} mutated programs with a tree or an error of the language`, async () => {
  const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
  process.stdout.write(`fuzz seed: ${seed} (FIRN_FUZZ_SEED repeats it)\n`);
  const { failure, accepted } = await fuzzLanguage(seed, count);
  expect(failure, `node scripts/fuzz-language.ts --seed ${seed}`).toBeUndefined();
  expect(accepted).toBeGreaterThan(count / 100);
});
