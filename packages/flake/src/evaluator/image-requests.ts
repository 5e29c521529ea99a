/** The requests with which an image is made. */
import type { ArgumentData, ImageApplication } from "@firn/language";
import { EvaluatorClient, type EvaluatorClientOptions } from "./client.ts";
import type { HostConfig } from "./node-host.ts";
import type { Request } from "./protocol.ts";

/** Returns the requests with which an image of an application is made in a file; the last one is answered with its identity. */
export function imageRequests(file: string, config: HostConfig, application: ImageApplication): Request[] {
  const make: Request = { op: "makeImage", application, file };
  if (!config.mode.pure && !config.mode.restricted) return [make];
  // What the function's own tree has may be read, as where it was applied, and trees that are among its arguments.
  const below = `${config.storeDir}/`;
  const own = application.file.startsWith(below) ? [application.file] : [];
  const roots = [...own, ...storePathsIn(application.argument)].map((path) =>
    path.split("/", below.split("/").length).join("/"),
  );
  return [...[...new Set(roots)].map((path): Request => ({ op: "allowPath", path })), make];
}

/** Returns the store paths that strings of arguments depend on. */
function storePathsIn(data: ArgumentData): string[] {
  if (data === null || typeof data !== "object") return [];
  if ("context" in data) return [...data.context];
  if ("list" in data) return data.list.flatMap(storePathsIn);
  if ("attrs" in data) return data.attrs.flatMap(([, member]) => storePathsIn(member));
  if (!("attribute" in data)) return [];
  return [...(data.applied === undefined ? [] : storePathsIn(data.applied)), ...storePathsIn(data.argument)];
}

/** Answers them in a thread of its own. Errors are those of the application, and of the machine. */
export async function answerImageRequests(
  requests: readonly Request[],
  options: Omit<EvaluatorClientOptions, "images" | "report">,
): Promise<void> {
  const client = new EvaluatorClient({
    ...options,
    images: {
      use: { makes: true },
      wanted: async () => undefined,
      left: () => undefined,
      used: () => undefined,
      found: async () => undefined,
    },
    report: () => undefined,
  });
  try {
    for (const request of requests) await client.request(request);
  } finally {
    await client.close();
  }
}
