/** The files of binary caches in buckets of S3 and of servers that speak its protocol, by the client of the AWS SDK. */
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { FirnError } from "@firn/formats";
import * as fs from "../fs/files.ts";
import type { CacheFiles } from "./cache-files.ts";

/** A bucket, and how to reach it (manual: "S3 Binary Cache Store"). */
export interface BucketOptions {
  readonly bucket: string;
  /** The beginning of the names of all objects, without a slash at its end. */
  readonly prefix: string;
  readonly region: string;
  /** A profile of the AWS configuration; by default the one of the environment. */
  readonly profile: string | undefined;
  /** Scheme of requests when the endpoint has none. */
  readonly scheme: "http" | "https";
  /** Host, or URL, of a server other than Amazon's. */
  readonly endpoint: string | undefined;
  /** `path` puts the bucket into the path of URLs, `virtual` into the host; `auto` does the latter for Amazon's servers. */
  readonly addressing: "auto" | "path" | "virtual";
  /** Size from which on a file is sent in parts, and that of a part, in bytes; undefined to send all in one piece. */
  readonly parts: { readonly threshold: number; readonly size: number } | undefined;
  readonly storageClass: string | undefined;
}

type Sdk = typeof import("@aws-sdk/client-s3");

/** Opens the files of a bucket. Error `unsupported` where the SDK is not installed. */
export async function bucketFiles(options: BucketOptions): Promise<CacheFiles> {
  let sdk: Sdk;
  try {
    sdk = await import("@aws-sdk/client-s3");
  } catch (error) {
    throw new FirnError("unsupported", "stores of kind 's3' need the package '@aws-sdk/client-s3', which is not here", {
      hint: "install it beside Firn, e.g. with 'npm install @aws-sdk/client-s3'",
      cause: error,
    });
  }
  return new BucketFiles(sdk, options);
}

function endpointOf({ endpoint, scheme }: BucketOptions): string | undefined {
  if (endpoint === undefined || endpoint === "") return undefined;
  return /^https?:\/\//.test(endpoint) ? endpoint : `${scheme}://${endpoint}`;
}

class BucketFiles implements CacheFiles {
  readonly uri: string;
  readonly mayBeEmpty = true;
  readonly #sdk: Sdk;
  readonly #options: BucketOptions;
  #client: Promise<S3Client> | undefined;

  constructor(sdk: Sdk, options: BucketOptions) {
    this.#sdk = sdk;
    this.#options = options;
    this.uri = `s3://${options.bucket}${options.prefix === "" ? "" : `/${options.prefix}`}`;
  }

  async text(name: string, limit = 64 * 1024 * 1024): Promise<string | undefined> {
    let body: AsyncIterable<Uint8Array>;
    try {
      body = await this.open(name);
    } catch (error) {
      if (error instanceof FirnError && error.code === "not-found") return undefined;
      throw error;
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body) {
      size += part.length;
      if (size > limit) throw new FirnError("too-large", `'${this.uri}/${name}' is larger than ${limit} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString("latin1");
  }

  async open(name: string): Promise<AsyncIterable<Uint8Array>> {
    const { GetObjectCommand } = this.#sdk;
    const object = await this.#try(`download '${this.uri}/${name}'`, (client) =>
      client.send(new GetObjectCommand(this.#place(name))),
    );
    return this.#body(name, object);
  }

  async has(name: string, size?: number): Promise<boolean> {
    const { HeadObjectCommand } = this.#sdk;
    try {
      const { ContentLength: found } = await this.#try(`download '${this.uri}/${name}'`, (client) =>
        client.send(new HeadObjectCommand(this.#place(name))),
      );
      return size === undefined || found === undefined || found === size;
    } catch (error) {
      if (error instanceof FirnError && error.code === "not-found") return false;
      throw error;
    }
  }

  async put(name: string, data: Uint8Array): Promise<void> {
    const { PutObjectCommand } = this.#sdk;
    await this.#try(`upload '${this.uri}/${name}'`, (client) =>
      client.send(new PutObjectCommand({ ...this.#place(name), ...this.#kind(), Body: data })),
    );
  }

  async putFile(name: string, file: string, size: number): Promise<void> {
    const { parts } = this.#options;
    if (parts !== undefined && size >= parts.threshold) {
      await this.#putParts(name, { file, size, part: parts.size });
      return;
    }
    const { PutObjectCommand } = this.#sdk;
    await this.#try(`upload '${this.uri}/${name}'`, (client) =>
      client.send(
        new PutObjectCommand({
          ...this.#place(name),
          ...this.#kind(),
          Body: fs.createReadStream(file),
          ContentLength: size,
        }),
      ),
    );
  }

  async close(): Promise<void> {
    (await this.#client)?.destroy();
  }

  /** Sends a file in parts; when one fails, the others are taken back. */
  async #putParts(
    name: string,
    { file, size, part }: { readonly file: string; readonly size: number; readonly part: number },
  ): Promise<void> {
    const sdk = this.#sdk;
    const what = `upload '${this.uri}/${name}'`;
    const place = this.#place(name);
    const { UploadId } = await this.#try(what, (client) =>
      client.send(new sdk.CreateMultipartUploadCommand({ ...place, ...this.#kind() })),
    );
    try {
      const sent: { ETag: string | undefined; PartNumber: number }[] = [];
      for (let start = 0; start < size; start += part) {
        const PartNumber = sent.length + 1;
        const end = Math.min(start + part, size);
        const Body = fs.createReadStream(file, { start, end: end - 1 });
        const command = new sdk.UploadPartCommand({ ...place, UploadId, PartNumber, Body, ContentLength: end - start });
        const { ETag } = await this.#try(what, (client) => client.send(command));
        sent.push({ ETag, PartNumber });
      }
      const MultipartUpload = { Parts: sent };
      await this.#try(what, (client) =>
        client.send(new sdk.CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload })),
      );
    } catch (error) {
      await this.#try(what, (client) => client.send(new sdk.AbortMultipartUploadCommand({ ...place, UploadId }))).catch(
        (another: unknown) => {
          // The first failure is told.
          if (!(another instanceof FirnError)) throw another;
        },
      );
      throw error;
    }
  }

  #place(name: string): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.#options;
    return { Bucket: bucket, Key: prefix === "" ? name : `${prefix}/${name}` };
  }

  #kind(): { StorageClass?: "STANDARD" } {
    const { storageClass } = this.#options;
    // The server knows which there are.
    return storageClass === undefined || storageClass === "" ? {} : { StorageClass: storageClass as "STANDARD" };
  }

  async *#body(name: string, { Body }: GetObjectCommandOutput): AsyncGenerator<Uint8Array, void, undefined> {
    if (Body === undefined) return;
    try {
      for await (const chunk of Body as AsyncIterable<Uint8Array>) yield chunk;
    } catch (error) {
      throw this.#failure(`download '${this.uri}/${name}'`, error);
    }
  }

  async #try<Result>(what: string, work: (client: S3Client) => Promise<Result>): Promise<Result> {
    this.#client ??= this.#connect();
    try {
      return await work(await this.#client);
    } catch (error) {
      throw this.#failure(what, error);
    }
  }

  #failure(what: string, error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof FirnError) return error;
    const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
    const missing = $metadata?.httpStatusCode === 404 || ["NoSuchKey", "NotFound"].includes(error.name);
    const reason = error.message === "" || error.message === "UnknownError" ? error.name : error.message;
    return new FirnError(missing ? "not-found" : "transfer-failed", `unable to ${what}: ${reason}`, { cause: error });
  }

  /** Makes the client; where there are no credentials, requests are not signed, as public buckets need none. */
  async #connect(): Promise<S3Client> {
    const { S3Client: Client } = this.#sdk;
    const { region, profile, addressing } = this.#options;
    const endpoint = endpointOf(this.#options);
    const style =
      addressing === "path" ||
      (addressing === "auto" && (endpoint !== undefined || this.#options.bucket.includes(".")));
    const config: S3ClientConfig = {
      region,
      forcePathStyle: style,
      // Servers other than Amazon's often do not know the newer checks.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(profile === undefined || profile === "" ? {} : { profile }),
    };
    const client = new Client(config);
    try {
      await client.config.credentials();
      return client;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "CredentialsProviderError") throw error;
      client.destroy();
      return new Client({ ...config, signer: { sign: async (request) => request } });
    }
  }
}
