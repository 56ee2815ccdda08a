-- transaction: none
-- The lake's Iceberg tables under their own names: lake.events is silver, lake.daily and the others are gold.
CREATE EXTERNAL SCHEMA IF NOT EXISTS lake FROM DATA CATALOG
DATABASE '{{glue_database}}' REGION '{{region}}' IAM_ROLE '{{lake_role_arn}}';
