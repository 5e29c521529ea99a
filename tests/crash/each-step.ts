const parallel = 3;

/** Runs `job` for 0, 1, … below `count`, a few at a time. */
export async function forEachStep(count: number, job: (step: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
