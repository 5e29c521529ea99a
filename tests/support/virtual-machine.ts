/** Runs virtual machines that tell facts on their console, as lines `fact NAME: TEXT`, and end by themselves. */
import { startVm } from "@firn/system";

/** The longest time in milliseconds that a machine may say nothing on its console. How long it takes in all depends on what else is run here. */
const longestSilence = 400_000;

/**
 * Starts the machine and returns the facts that it has told when it has ended. What `answer` returns for the console's text so far is
 * typed there. Fails when the machine ends, or is ended because it has become silent, without the fact `end`.
 */
export async function factsOfMachine(
  options: { readonly image: string; readonly variables?: string },
  answer: (console: string) => string | undefined = () => undefined,
): Promise<ReadonlyMap<string, string>> {
  const machine = startVm({ ...options, kvm: false, console: "pipe" });
  let console = "";
  const silent = (): NodeJS.Timeout => setTimeout(() => machine.kill("SIGKILL"), longestSilence);
  let timer = silent();
  machine.stdout?.on("data", (chunk: Buffer) => {
    clearTimeout(timer);
    timer = silent();
    console += chunk.toString("latin1");
    const text = answer(console);
    if (text !== undefined) machine.stdin?.write(text);
  });
  await new Promise((resolve) => machine.on("close", resolve));
  clearTimeout(timer);
  const facts = new Map<string, string>();
  for (const [, name = "", text = ""] of console.matchAll(/fact (\w+): ?(.*?)\r?\n/g)) facts.set(name, text);
  if (!facts.has("end")) throw new Error(`the machine did not come to an end:\n${console.slice(-4000)}`);
  return facts;
}
