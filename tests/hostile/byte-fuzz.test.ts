import { afterAll, expect, test } from "vitest";
import { fuzzBytes } from "../../scripts/fuzz-bytes.ts";
import { byteFormats, outcomeOf, removeScratch } from "./byte-fuzz.ts";

const count = 50_000;
const seed = Number(process.env.FIRN_FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
process.stdout.write(`fuzz seed of bytes: ${seed} (FIRN_FUZZ_SEED repeats it)\n`);

afterAll(removeScratch);

test.concurrent.for(Object.keys(byteFormats))(
  `answers ${count} changed inputs with a value or an error: %s`,
  async (name) => {
    const { failure, accepted } = await fuzzBytes(name, { seed, count });
    expect(failure, `node scripts/fuzz-bytes.ts --format ${name} --seed ${seed}`).toBeUndefined();
    expect(accepted).toBeGreaterThan(count / 1000);
  },
);

test.for(Object.entries(byteFormats))("takes the examples: %s", async ([, format]) => {
  for (const example of format.seeds)
    expect([example.toString("latin1"), await outcomeOf(format, example)]).toEqual([
      example.toString("latin1"),
      "accepted",
    ]);
});

test("notices exceptions, endless reading and allocations by an announced length", async () => {
  const reader = (read: () => void): Promise<unknown> => outcomeOf({ seeds: [], words: [], read }, Buffer.alloc(10));
  expect(await reader(() => undefined)).toBe("accepted");
  expect(await reader(() => void BigInt("x"))).toMatchObject({ failure: expect.stringContaining("SyntaxError") });
  expect(await reader(() => void Buffer.alloc(1 << 30))).toMatchObject({
    failure: expect.stringContaining("allocation"),
  });
});
