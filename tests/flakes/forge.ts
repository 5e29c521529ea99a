/** A forge on this machine: GitHub's API and archives over HTTPS, tarballs over HTTP, and faults on demand. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** What the servers did and how to reach them. */
export interface Forge {
  readonly http: string;
  /** `localhost:PORT` of the HTTPS server. */
  readonly host: string;
  /** File with the certificate that signs it. */
  readonly certificate: string;
  /** Requested paths, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Makes a repository with one commit and returns its revision. */
export function makeRepository(directory: string, files: Readonly<Record<string, string>>): string {
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
      env: {
        ...process.env,
        GIT_AUTHOR_DATE: "1700000000 +0000",
        GIT_COMMITTER_DATE: "1700000000 +0000",
        GIT_CONFIG_GLOBAL: "/dev/null",
      },
      encoding: "utf8",
    });
  execFileSync("mkdir", ["-p", directory]);
  git("init", "--quiet", "--initial-branch=main", ".");
  for (const [name, text] of Object.entries(files)) {
    execFileSync("mkdir", ["-p", join(directory, name, "..")]);
    execFileSync("tee", [join(directory, name)], { input: text, stdio: ["pipe", "ignore", "inherit"] });
  }
  git("add", ".");
  git("commit", "--quiet", "-m", "one");
  return git("rev-parse", "HEAD").trim();
}

/** Starts both servers over one repository. */
export async function startForge(directory: string, repository: string, rev: string): Promise<Forge> {
  const key = join(directory, "tls.key");
  const certificate = join(directory, "tls.crt");
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
      "-keyout",
      key,
      "-out",
      certificate,
    ],
    { stdio: "ignore" },
  );
  const archive = execFileSync("git", ["-C", repository, "archive", "--format=tar.gz", `--prefix=repo-${rev}/`, rev], {
    maxBuffer: 1 << 26,
  });
  const requests: string[] = [];
  const failedOnce = new Set<string>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? "";
    requests.push(url);
    const send = (body: Buffer | string, headers: Record<string, string> = {}): void => {
      if (headers.ETag !== undefined && request.headers["if-none-match"] === headers.ETag) {
        response.writeHead(304).end();
        return;
      }
      response.writeHead(200, headers).end(body);
    };
    if (url === `/api/v3/repos/owner/repo/commits/HEAD` || url === "/api/v3/repos/owner/repo/commits/main")
      send(JSON.stringify({ sha: rev, commit: { tree: { sha: rev } } }));
    else if (url === `/owner/repo/archive/${rev}.tar.gz`) send(archive);
    else if (url === "/redirect.tar.gz") response.writeHead(302, { Location: "/archive.tar.gz" }).end();
    else if (url === "/archive.tar.gz") send(archive, { ETag: '"v1"' });
    else if (url === "/latest.tar.gz")
      send(archive, {
        Link: `<http://${request.headers.host}/immutable/v1.tar.gz?rev=${rev}&revCount=1>; rel="immutable"`,
      });
    else if (url.startsWith("/immutable/v1.tar.gz")) send(archive);
    else if (url === "/broken.tar.gz") {
      // The connection dies in the middle, the first time.
      if (failedOnce.has(url)) send(archive);
      else {
        failedOnce.add(url);
        response.writeHead(200, { "Content-Length": String(archive.length) });
        response.write(archive.subarray(0, 100), () => response.destroy());
      }
    } else if (url === "/busy.tar.gz") {
      if (failedOnce.has(url)) send(archive);
      else {
        failedOnce.add(url);
        response.writeHead(503).end();
      }
    } else if (url === "/garbage.tar.gz") send("this is no archive");
    else if (url === "/loop.tar.gz") response.writeHead(302, { Location: "/loop.tar.gz" }).end();
    else response.writeHead(404).end("no such file");
  };
  const plain = createHttpServer(handle);
  const secure = createHttpsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, handle);
  const [httpPort, httpsPort] = [await listen(plain), await listen(secure)];
  return {
    http: `http://127.0.0.1:${httpPort}`,
    host: `localhost:${httpsPort}`,
    certificate,
    requests,
    async close() {
      for (const server of [plain, secure]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}
