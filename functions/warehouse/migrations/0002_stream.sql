-- transaction: none
-- JSON_PARSE can still refuse a value that exceeds SUPER's limits: Redshift lists it in sys_stream_scan_errors.
CREATE EXTERNAL SCHEMA IF NOT EXISTS kinesis FROM KINESIS IAM_ROLE '{{streaming_role_arn}}';

DROP MATERIALIZED VIEW IF EXISTS staging.enriched_events;

-- A record that is not JSON stays as a row with its bytes, so that it can be counted and inspected.
CREATE MATERIALIZED VIEW staging.enriched_events AUTO REFRESH YES AS
SELECT
  approximate_arrival_timestamp AS arrived_at,
  shard_id,
  sequence_number,
  refresh_time,
  CASE WHEN CAN_JSON_PARSE(kinesis_data) THEN JSON_PARSE(kinesis_data) END AS event,
  CASE WHEN NOT CAN_JSON_PARSE(kinesis_data) THEN kinesis_data END AS unreadable
FROM kinesis."{{stream_name}}";
