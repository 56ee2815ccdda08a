-- transaction: none
-- What is refused here by JSON_PARSE all the same (a value beyond SUPER's limits) is in sys_stream_scan_errors.
CREATE EXTERNAL SCHEMA IF NOT EXISTS kinesis FROM KINESIS IAM_ROLE '{{streaming_role_arn}}';

DROP MATERIALIZED VIEW IF EXISTS staging.enriched_events;

-- A record that is no JSON stays as a row with its bytes, so that it can be counted and looked at.
CREATE MATERIALIZED VIEW staging.enriched_events AUTO REFRESH YES AS
SELECT
  approximate_arrival_timestamp AS arrived_at,
  shard_id,
  sequence_number,
  refresh_time,
  CASE WHEN CAN_JSON_PARSE(kinesis_data) THEN JSON_PARSE(kinesis_data) END AS event,
  CASE WHEN NOT CAN_JSON_PARSE(kinesis_data) THEN kinesis_data END AS unreadable
FROM kinesis."{{stream_name}}";
