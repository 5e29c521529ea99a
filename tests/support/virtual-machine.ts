/** Runs virtual machines that tell facts on their console, as lines `fact NAME: TEXT`, and end by themselves. */
import { startVm } from "@firn/system";

/** The longest time that a machine without KVM may take, in milliseconds. */
const longest = 800_000;

/**
 * Starts the machine and returns the facts that it has told when it has ended. What `answer` returns for the console's text so far is
 * typed there. Fails when the machine ends, or is ended, without the fact `end`.
 */
export async function factsOfMachine(
  options: { readonly image: string; readonly variables?: string },
  answer: (console: string) => string | undefined = () => undefined,
): Promise<ReadonlyMap<string, string>> {
  const machine = startVm({ ...options, kvm: false, console: "pipe" });
  let console = "";
  machine.stdout?.on("data", (chunk: Buffer) => {
    console += chunk.toString("latin1");
    const text = answer(console);
    if (text !== undefined) machine.stdin?.write(text);
  });
  const timer = setTimeout(() => machine.kill("SIGKILL"), longest);
  await new Promise((resolve) => machine.on("close", resolve));
  clearTimeout(timer);
  const facts = new Map<string, string>();
  for (const [, name = "", text = ""] of console.matchAll(/fact (\w+): ?(.*?)\r?\n/g)) facts.set(name, text);
  if (!facts.has("end")) throw new Error(`the machine did not come to an end:\n${console.slice(-4000)}`);
  return facts;
}
