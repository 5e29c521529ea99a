/** Passwords that git is given for one server. */
import { mkdtempSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removePath } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { gitOutcome } from "./git-program.ts";

let directory: string;
let servers: Server[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "firn-login-"));
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close();
  removePath(directory);
});

/** A server that asks for a password, and afterwards sends to another place or says that there is nothing. */
async function serve(asked: (string | undefined)[], elsewhere?: string): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    } else if (elsewhere === undefined) response.writeHead(404).end();
    else response.writeHead(302, { location: `${elsewhere}${request.url}` }).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("reach that server, and no other that it leads to, nor any argument or error", async () => {
  const asked: (string | undefined)[] = [];
  const askedElsewhere: (string | undefined)[] = [];
  const origin = await serve(asked, await serve(askedElsewhere));
  const { code, stderr } = await gitOutcome({
    gitDirectory: directory,
    userConfiguration: false,
    login: { origin, user: "me", password: "sesame" },
    args: ["ls-remote", "--", `${origin}/repository`],
  });
  expect(code).not.toBe(0);
  expect(stderr).not.toContain("sesame");
  expect(asked).toContain(`Basic ${Buffer.from("me:sesame").toString("base64")}`);
  expect(askedElsewhere.length).toBeGreaterThan(0);
  expect(askedElsewhere.filter((authorization) => authorization !== undefined)).toEqual([]);
});

test("cannot say more to git than a name and a password", () => {
  const login = { origin: "https://host", user: "a", password: "b\nhost=evil" };
  expect(() => gitOutcome({ gitDirectory: directory, login, args: [] })).toThrow("line break or a null byte");
});
