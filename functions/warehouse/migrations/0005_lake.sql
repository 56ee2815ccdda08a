-- transaction: none
-- The lake's Iceberg tables as the Glue catalog describes them. A user with USAGE on an external schema reads every
-- table that the schema's role can read. Gold and silver have a schema and a role each, so that a user of gold cannot
-- read silver, which holds the events of single players.
CREATE EXTERNAL SCHEMA IF NOT EXISTS gold FROM DATA CATALOG
DATABASE '{{glue_database}}' REGION '{{region}}' IAM_ROLE '{{gold_role_arn}}';

CREATE EXTERNAL SCHEMA IF NOT EXISTS silver FROM DATA CATALOG
DATABASE '{{glue_database}}' REGION '{{region}}' IAM_ROLE '{{silver_role_arn}}';
