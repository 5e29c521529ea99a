const parallel = 3;

/** The distance between the steps that are tried: every thirteenth one, all with `FIRN_ALL_STEPS`. */
const stride = process.env.FIRN_ALL_STEPS === undefined ? 13 : 1;

/** Runs `job` for steps below `count`, a few at a time. */
export async function forEachStep(count: number, job: (step: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const step = next;
      next += stride;
      await job(step);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
