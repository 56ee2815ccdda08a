-- staging holds what the stream brings; warehouse holds facts and dimensions; metrics holds gold's tables.
CREATE SCHEMA staging;
CREATE SCHEMA IF NOT EXISTS warehouse;
CREATE SCHEMA metrics;

-- One row: facts hold every refresh of the streaming view up to loaded_to. The last run took those from loaded_from on.
CREATE TABLE warehouse.progress (
  loaded_from TIMESTAMP NOT NULL,
  loaded_to TIMESTAMP NOT NULL
)
DISTSTYLE ALL;

INSERT INTO warehouse.progress VALUES ('1970-01-01', '1970-01-01');
