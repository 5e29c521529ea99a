/** Downloads into a temporary file, through the store's transfers. */
import { createWriteStream } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Transferrer } from "@firn/store";
import type { Downloaded, DownloadRequest } from "./context.ts";

/** Fetches a URL into a file of its own below the temporary directory. Errors as of the transfer. */
export async function downloadToFile(transferrer: Transferrer, request: DownloadRequest): Promise<Downloaded> {
  const { expectedEtag, ...rest } = request;
  const transfer = await transferrer.open({
    ...rest,
    progress: true,
    ...(expectedEtag === undefined ? {} : { etag: expectedEtag }),
  });
  const answer = { etag: transfer.etag ?? "", finalUrl: transfer.url, immutableUrl: transfer.immutableUrl };
  if (transfer.cached) {
    transfer.cancel();
    return { ...answer, file: undefined };
  }
  const file = join(await mkdtemp(join(tmpdir(), "firn-download-")), "body");
  await pipeline(transfer.body, createWriteStream(file));
  return { ...answer, file };
}
