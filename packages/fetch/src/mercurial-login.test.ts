/** Passwords that hg is given for one server. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hasErrorCode } from "@firn/store";
import { expect, test } from "vitest";
import { remoteAddress } from "./login.ts";
import { mercurial } from "./mercurial-program.ts";

const hasMercurial = spawnSync("hg", ["--version"]).status === 0;

/** What every user can read of the processes of this machine: their arguments. */
function commandLines(): string {
  const lines = readdirSync("/proc").map((name) => {
    try {
      return /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8") : "";
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ESRCH", "EACCES")) return "";
      throw error;
    }
  });
  return lines.join("\n");
}

test.runIf(hasMercurial)("reach that server, and no argument or error", async () => {
  const asked: (string | undefined)[] = [];
  let seen = "";
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    seen += commandLines();
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { url, login } = remoteAddress(`http://me:open%20sesame@${host}/repository`);
    const failure = await mercurial(["identify", "--", url], login).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "hg" });
    expect(String(failure)).not.toContain("sesame");
    expect(asked).toContain(`Basic ${Buffer.from("me:open sesame").toString("base64")}`);
    expect(seen).toContain(`me@${host}`);
    expect(seen).not.toContain("sesame");
  } finally {
    server.close();
  }
});

test("cannot say more to hg than a name and a password", async () => {
  const login = { origin: "https://host", user: "a", password: "b\n[hooks]\nupdate = id" };
  await expect(mercurial(["identify"], login)).rejects.toThrow("line break or a null byte");
  expect(() => remoteAddress("https://a:b%0a%5bhooks%5d@host/x")).toThrow("line break or a null byte");
});
