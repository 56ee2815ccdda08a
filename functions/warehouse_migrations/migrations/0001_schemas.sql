-- staging: what the stream brings; warehouse: facts and dimensions; metrics: what is asked.
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS warehouse;
CREATE SCHEMA IF NOT EXISTS metrics;

-- One row: the refreshes of the streaming view that the facts hold, the last one from loaded_from to loaded_to.
CREATE TABLE warehouse.progress (
  loaded_from TIMESTAMP NOT NULL,
  loaded_to TIMESTAMP NOT NULL
)
DISTSTYLE ALL;

INSERT INTO warehouse.progress VALUES ('1970-01-01', '1970-01-01');
