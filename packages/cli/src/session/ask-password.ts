/** Asks for a password without showing it. */
import { byteStringOf, FirnError } from "@firn/formats";
import type { Io } from "../io.ts";

/** Asks on the terminal; where standard input is none, its first line is the password. Fails with `interrupted` after Ctrl-C. */
export async function askPassword(io: Io, prompt: string): Promise<string> {
  io.err(prompt);
  const { stdin } = process;
  if (io.input !== undefined || stdin.isTTY !== true) return (await io.readStdin()).split("\n")[0] ?? "";
  stdin.setRawMode(true);
  try {
    return byteStringOf(await typedLine(stdin));
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    io.err("\n");
  }
}

/** Collects what is typed up to the end of the line. */
function typedLine(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (act: () => void): void => {
      stdin.off("data", take);
      act();
    };
    const take = (chunk: Buffer): void => {
      for (const char of chunk.toString("utf8")) {
        if (char === "\r" || char === "\n" || char === "\u0004") {
          end(() => resolve(typed));
          return;
        }
        if (char === "\u0003") {
          end(() => reject(new FirnError("interrupted", "interrupted by the user")));
          return;
        }
        if (char === "\u007f" || char === "\b") typed = [...typed].slice(0, -1).join("");
        else typed += char;
      }
    };
    stdin.on("data", take);
  });
}
