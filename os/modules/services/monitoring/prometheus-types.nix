# The parts of a configuration of Prometheus. What is not named here may be given too, as Prometheus has it.
{ lib, forms }:
let
  inherit (lib) types;
  inherit (forms) json;
  part =
    options:
    types.submodule {
      freeformType = types.attrsOf json;
      inherit options;
    };
  # Left out where null.
  text = forms.optional types.str;
  flag = forms.optional types.bool;
  number = forms.optional types.int;
  texts = forms.optional (types.attrsOf types.str);

  basicAuth = part {
    username = forms.required types.str "Name of the user.";
    password = text "Password. All can read it in the store.";
    password_file = text "File with the password.";
  };
  tls = part {
    ca_file = text "File of the authorities that are trusted.";
    cert_file = text "File of the client's certificate.";
    key_file = text "File of the client's key.";
    server_name = text "Name that the server's certificate must have.";
    insecure_skip_verify = flag "Whether any certificate is accepted.";
  };
  relabel = part {
    source_labels = forms.optional (types.listOf types.str) "Labels whose values are looked at.";
    separator = text "What stands between their values.";
    target_label = text "Label that gets the result.";
    regex = text "Expression that the values are compared with.";
    modulus = number "Number that the hash is divided by.";
    replacement = text "The result.";
    action = text "What is done.";
  };
  target = part {
    targets = forms.required (types.listOf types.str) "Hosts with their ports.";
    labels = forms.of (types.attrsOf types.str) { } "Labels of all that comes from them.";
  };
  # What all that asks over HTTP has in common.
  client = {
    basic_auth = forms.optional basicAuth "User and password.";
    bearer_token = text "Token. All can read it in the store.";
    bearer_token_file = text "File with the token.";
    tls_config = forms.optional tls "Settings of TLS.";
    proxy_url = text "Proxy.";
  };
in
{
  inherit json;

  global = part {
    scrape_interval = text "How often targets are asked.";
    scrape_timeout = text "How long an answer may take.";
    evaluation_interval = text "How often rules are evaluated.";
    external_labels = texts "Labels of all that other systems are told.";
    query_log_file = text "File of the queries.";
  };

  scrape = part (
    client
    // {
      job_name = forms.required types.str "Name of the job.";
      authorization = forms.optional (types.attrsOf json) "The header `Authorization`.";
      scrape_interval = text "How often its targets are asked.";
      scrape_timeout = text "How long an answer may take.";
      scrape_protocols = forms.optional (types.listOf types.str) "Forms of answers, best first.";
      fallback_scrape_protocol = text "Form of answers that do not tell theirs.";
      metrics_path = text "Path of the metrics.";
      honor_labels = flag "Whether labels of the answer go before.";
      honor_timestamps = flag "Whether times of the answer are taken.";
      scheme = forms.optional (types.enum [ "http" "https" ]) "How they are asked.";
      params = forms.optional (types.attrsOf (types.listOf types.str)) "Parameters of the address.";
      sample_limit = number "How many values an answer may have.";
      static_configs = forms.optional (types.listOf target) "The targets.";
      file_sd_configs = forms.optional (types.listOf (part {
        files = forms.required (types.listOf types.str) "Patterns of files.";
        refresh_interval = text "How often they are read.";
      })) "Files with targets.";
      dns_sd_configs = forms.optional (types.listOf (part {
        names = forms.required (types.listOf types.str) "Names.";
        type = text "Type of the records.";
        port = number "Port of the targets.";
        refresh_interval = text "How often they are asked.";
      })) "Names whose addresses are targets.";
      relabel_configs = forms.optional (types.listOf relabel) "What is done to labels of targets.";
      metric_relabel_configs = forms.optional (types.listOf relabel) "What is done to labels of values.";
    }
  );

  remoteWrite = part (
    client
    // {
      url = forms.required types.str "Address that values are sent to.";
      remote_timeout = text "How long an answer may take.";
      headers = texts "Headers.";
      name = text "Name of the connection.";
      write_relabel_configs = forms.optional (types.listOf relabel) "What is done to labels before.";
      queue_config = forms.optional (part {
        capacity = number "Values that may wait in a shard.";
        max_shards = number "Most shards.";
        min_shards = number "Fewest shards.";
        max_samples_per_send = number "Most values sent at once.";
        batch_send_deadline = text "How long values may wait.";
        min_backoff = text "Shortest pause after a failure.";
        max_backoff = text "Longest pause.";
      }) "The queue.";
      metadata_config = forms.optional (part {
        send = flag "Whether they are sent.";
        send_interval = text "How often.";
      }) "What is known of metrics.";
      sigv4 = forms.optional (part {
        region = text "Region.";
        access_key = text "Name of the key.";
        secret_key = text "The key. All can read it in the store.";
        profile = text "Profile.";
        role_arn = text "Role.";
      }) "Signatures of AWS.";
    }
  );

  remoteRead = part (
    client
    // {
      url = forms.required types.str "Address that values are read from.";
      name = text "Name of the connection.";
      required_matchers = texts "Labels that a query must ask for.";
      remote_timeout = text "How long an answer may take.";
      headers = texts "Headers.";
      read_recent = flag "Whether it is asked for what should be here.";
    }
  );
}
