/** Downloads into a temporary file, through the store's transfers. */

import { dirname, join } from "node:path";
import { FirnError } from "@firn/formats";
import { disk, makeTemporaryDirectory, removeDirectory, removePath, type Transferrer } from "@firn/store";
import { closeSync } from "@firn/store/files";
import type { Downloaded, DownloadRequest } from "./context.ts";

/** Number of times that a broken-off body is fetched again from its start, when the server cannot resume it. */
const bodyAttempts = 3;

/** Downloads a URL into a file of its own below the temporary directory. Errors as of the transfer. */
export async function downloadToFile(transferrer: Transferrer, request: DownloadRequest): Promise<Downloaded> {
  const { expectedEtag, post, ...rest } = request;
  const directory = await makeTemporaryDirectory("firn-download-");
  const file = join(directory, "body");
  for (let attempt = 1; ; attempt++) {
    const transfer = await transferrer.open({
      ...rest,
      progress: true,
      ...(post === undefined ? {} : { method: "POST", body: post }),
      ...(expectedEtag === undefined ? {} : { etag: expectedEtag }),
    });
    const answer = { etag: transfer.etag ?? "", finalUrl: transfer.url, immutableUrl: transfer.immutableUrl };
    if (transfer.cached) {
      transfer.cancel();
      removeDirectory(directory);
      return { ...answer, file: undefined };
    }
    try {
      await writeBody(file, transfer.body);
      return { ...answer, file };
    } catch (error) {
      const broken = error instanceof FirnError && (error.code === "transfer-failed" || error.code === "unreachable");
      if (!broken || attempt >= bodyAttempts) {
        removeDirectory(directory);
        throw error;
      }
      removePath(file);
    }
  }
}

/** Deletes a downloaded file and the directory made for it. */
export function discardDownload(file: string): void {
  removeDirectory(dirname(file));
}

async function writeBody(file: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const fd = disk.create(file);
  try {
    for await (const chunk of body) disk.write(fd, chunk);
  } finally {
    closeSync(fd);
  }
}
