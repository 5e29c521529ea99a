import net from "node:net";
import path from "node:path";
import { makeTemporaryDirectory, type RunningProgram, removeDirectory, startProgram } from "@firn/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Workers } from "./workers.ts";

let directory: string;
let server: net.Server;
let workers: Workers;
beforeEach(() => {
  directory = makeTemporaryDirectory("firn-workers-");
});
afterEach(() => {
  server.close();
  workers.close();
  removeDirectory(directory);
});

/** Connects clients to a daemon whose one process runs a script of ours; returns what each receives until it is sent away. */
async function received(script: string, clients = 1): Promise<string[]> {
  const start = (): RunningProgram =>
    startProgram(process.execPath, ["-e", script], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  workers = new Workers(start, 1);
  server = net.createServer({ pauseOnConnect: true }, (socket) => {
    workers.serve(socket, { kind: "client", rights: "untrusted" });
  });
  const socket = path.join(directory, "socket");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return Promise.all(
    Array.from({ length: clients }, async () => {
      const client = net.connect(socket);
      client.on("error", () => undefined);
      let text = "";
      client.on("data", (data) => {
        text += String(data);
      });
      await new Promise((resolve) => client.once("close", resolve));
      return text;
    }),
  );
}

test("a client's socket goes to a process with the client's rights", async () => {
  const script = `process.on("message", ({ rights }, socket) => socket.end(rights))`;
  expect(await received(script, 3)).toEqual(["untrusted", "untrusted", "untrusted"]);
});

test("clients are sent away when their process ends before it takes the sockets", async () => {
  expect(await received("setTimeout(() => process.exit(3), 300)", 3)).toEqual(["", "", ""]);
});

test("a client is sent away when the process that serves it dies", async () => {
  const script = `process.on("message", (_, socket) => { socket.write("begun"); setTimeout(() => process.kill(process.pid, "SIGKILL"), 200); })`;
  expect(await received(script)).toEqual(["begun"]);
});
