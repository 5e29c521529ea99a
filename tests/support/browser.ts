import { createContext, runInContext } from "node:vm";

/** Runs a script with nothing but what browsers have too, and gives the lines that it prints. The script may use `await` at its top. */
export async function runInBrowser(script: string): Promise<string[]> {
  const lines: string[] = [];
  const console = { log: (...words: unknown[]) => lines.push(words.map(String).join(" ")) };
  const context = createContext({ TextEncoder, TextDecoder, console });
  await runInContext(`(async () => { ${script}\n})()`, context);
  return lines;
}
