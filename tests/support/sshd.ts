/** A real SSH server for tests, on a port of its own, that lets in who runs the tests. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

/** Runs sshd; set by scripts/test from scripts/setup-sshd. */
export const sshdProgram = process.env.FIRN_SSHD ?? "";

/** A server of a test. */
export interface TestSshd {
  /** `user@host`, for URLs. */
  readonly destination: string;
  /** Words for ssh that lead to the server, with its key and the user's. */
  readonly options: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(port, "127.0.0.1");
    connection.once("connect", () => resolve(true)).once("error", () => resolve(false));
    connection.once("connect", () => connection.destroy());
  });
}

/**
 * Starts a server whose files lie in a directory. Root's server has a list of users of its own, in a mount namespace of its own: one for
 * the server's unprivileged half, and root with a home in the directory.
 */
export async function startSshd(directory: string): Promise<TestSshd> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const place = (name: string): string => path.join(directory, name);
  for (const name of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", place(name)]);
  }
  const port = await freePort();
  const config = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${place("host")}`,
    `AuthorizedKeysFile ${place("user.pub")}`,
    "StrictModes no",
    "UsePAM no",
    "PidFile none",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
  ];
  // Newer servers are three programs.
  const libraries = path.join(path.dirname(sshdProgram), "root/usr/lib/openssh");
  for (const [name, program] of [
    ["SshdSessionPath", "sshd-session"],
    ["SshdAuthPath", "sshd-auth"],
  ]) {
    if (existsSync(path.join(libraries, program!))) config.push(`${name} ${path.join(libraries, program!)}`);
  }
  writeFileSync(place("sshd_config"), `${config.join("\n")}\n`);
  writeFileSync(place("known_hosts"), `[127.0.0.1]:${port} ${readFileSync(place("host.pub"), "utf8")}`);
  const server = [sshdProgram, "-D", "-e", "-f", place("sshd_config")];
  const { username } = os.userInfo();
  let command = server;
  if (process.getuid?.() === 0) {
    writeFileSync(
      place("passwd"),
      `root:x:0:0:root:${directory}:/bin/sh\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`,
    );
    const script = 'mkdir -p /run/sshd && mount --bind "$0" /etc/passwd && exec "$@"';
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, place("passwd"), ...server];
  }
  const program = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  program.stderr.on("data", (data: Buffer) => (said += data.toString()));
  while (!(await answers(port))) {
    if (program.exitCode !== null) throw new Error(`sshd ended with status ${program.exitCode}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    destination: `${username}@127.0.0.1`,
    options: `-F none -p ${port} -i ${place("user")} -o IdentitiesOnly=yes -o UserKnownHostsFile=${place("known_hosts")}`,
    stop: () => stop(program),
  };
}

async function stop(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = new Promise((resolve) => program.once("exit", resolve));
  program.kill("SIGTERM");
  await ended;
}
