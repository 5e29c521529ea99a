/** The parts of the package `s3rver` that tests use. */
declare module "s3rver" {
  import type { RequestListener } from "node:http";

  /** A server of buckets in a directory. */
  export default class S3rver {
    constructor(options: {
      readonly directory: string;
      readonly silent: boolean;
      readonly configureBuckets: readonly { readonly name: string; readonly configs: readonly string[] }[];
    });
    configureBuckets(): Promise<void>;
    callback(): RequestListener;
  }
}
