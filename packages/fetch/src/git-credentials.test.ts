import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { withoutCredentials } from "./git-credentials.ts";
import { gitOutcome } from "./git-program.ts";

test("arguments have no names and no passwords", () => {
  const { args, environment } = withoutCredentials(
    ["fetch", "--", "https://me:se%40cret@host:8080/a@b?c=d", "ssh://git@host/x", "plain"],
    {},
  );
  expect(args).toEqual(["fetch", "--", "https://host:8080/a@b?c=d", "ssh://git@host/x", "plain"]);
  expect(environment).toMatchObject({
    FIRN_GIT_USER_0: "me",
    FIRN_GIT_PASSWORD_0: "se@cret",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "credential.https://host:8080.helper",
  });
  expect(environment.GIT_CONFIG_VALUE_0).not.toContain("secret");
});

test("configuration that is given in variables stays", () => {
  expect(withoutCredentials(["x"], { GIT_CONFIG_COUNT: "2" }).environment).toEqual({});
  expect(withoutCredentials(["https://a@b/"], { GIT_CONFIG_COUNT: "2" }).environment).toMatchObject({
    GIT_CONFIG_COUNT: "3",
    GIT_CONFIG_KEY_2: "credential.https://b.helper",
  });
});

test("credentials cannot say more to git than a name and a password", () => {
  expect(() => withoutCredentials(["https://a:b%0ahost=evil@host/"], {})).toThrow("line break or a null byte");
});

test("the server that they are for gets them, and errors do not show them", async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const url = `http://me:sesame@127.0.0.1:${port}/repository`;
    const { code, stderr } = await gitOutcome({ directory: "/", args: ["ls-remote", url] });
    expect(code).not.toBe(0);
    expect(stderr).not.toContain("sesame");
    expect(asked).toContain(`Basic ${Buffer.from("me:sesame").toString("base64")}`);
  } finally {
    server.close();
  }
});
