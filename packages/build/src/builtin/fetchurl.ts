/** `builtin:fetchurl`: downloads one file (or a NAR, with `unpack`), from the first of its URLs that has it. */

import { derivationKind, FirnError, NarParser, printHash } from "@firn/formats";
import {
  decompress,
  disk,
  RestoreSink,
  removePath,
  resolveMirrors,
  resolveSnapshots,
  Transferrer,
  transferOptions,
  withPlace,
} from "@firn/store";
import * as fs from "@firn/store/files";
import { attribute, type BuiltinContext } from "./context.ts";

/**
 * Downloads to output `out`. Attributes: `url` or `urls`, `unpack`, `executable`; `snapshot`, the time at which mirrors had the file.
 */
export async function fetchUrl(context: BuiltinContext): Promise<void> {
  const { derivation, settings } = context;
  const kind = derivationKind(derivation);
  const out = derivation.outputs.get("out");
  if (out === undefined) throw new FirnError("bad-derivation", "'builtin:fetchurl' requires an 'out' output");
  if (kind !== "fixed" && kind !== "impure") {
    throw new FirnError("bad-derivation", "'builtin:fetchurl' must be a fixed-output or impure derivation");
  }
  const urls = urlsOf(context);
  const candidates = urls.flatMap((url) => resolveMirrors(url, settings));
  const time = derivation.env.get("snapshot") ?? "";
  if (time !== "") candidates.push(...urls.flatMap((url) => resolveSnapshots(url, time, settings)));
  if (out.kind === "fixed" && out.address.method === "flat") {
    const { hash } = out.address;
    for (const mirror of settings.get("hashed-mirrors")) {
      candidates.unshift(`${mirror.replace(/\/*$/, "/")}${hash.algorithm}/${printHash(hash, "base16", false)}`);
    }
  }
  const transferrer = new Transferrer(transferOptions(settings, { events: context.events, offline: context.offline }));
  const failures: FirnError[] = [];
  try {
    for (const url of candidates) {
      try {
        await download(context, transferrer, url);
        return;
      } catch (error) {
        if (!(error instanceof FirnError)) throw error;
        failures.push(error);
        removePath(context.output("out"));
        if (candidates.length > 1) context.log(error.message);
      }
    }
  } finally {
    await transferrer.close();
  }
  const gone = failures.length > 0 && failures.every((failure) => failure.code === "not-found");
  if (gone && urls.some((url) => url.startsWith("mirror://"))) {
    context.log(failures.at(-1)?.message ?? "");
    throw new FirnError(
      "not-found",
      `'${urls[0]?.split("/").at(-1)}' has left the mirror: a newer version replaced it. Renew the lock with 'firn deb update' (or 'firn flake update deb')`,
    );
  }
  throw failures.at(-1) ?? new FirnError("bad-derivation", "'builtin:fetchurl' has no URL");
}

function urlsOf(context: BuiltinContext): string[] {
  const several = (context.derivation.env.get("urls") ?? "").split(/\s+/).filter((url) => url !== "");
  return several.length > 0 ? several : [attribute(context, "url")];
}

async function download(context: BuiltinContext, transferrer: Transferrer, url: string): Promise<void> {
  const { env } = context.derivation;
  const target = context.output("out");
  const transfer = await transferrer.open({ url, progress: true });
  if (env.get("unpack") === "1") {
    const sink = new RestoreSink(target);
    const parser = new NarParser(sink);
    try {
      const method = urlsOf(context)[0]!.endsWith(".xz") ? "xz" : "none";
      for await (const chunk of decompress(transfer.body, method)) parser.push(chunk);
      parser.finish();
    } finally {
      sink.close();
    }
  } else {
    const fd = disk.create(target, 0o644);
    try {
      for await (const chunk of transfer.body) disk.write(fd, chunk);
    } finally {
      fs.closeSync(fd);
    }
  }
  if (env.get("executable") !== "1") return;
  withPlace(target, (place) => {
    if (place.stat().isSymbolicLink()) {
      throw new FirnError("bad-derivation", `'${url}' unpacks to a symbolic link, which cannot be made executable`);
    }
    place.chmod(0o755);
  });
}
