-- What the player agreed to; events from before the field have none.
ALTER TABLE warehouse.fact_events ADD COLUMN privacy SUPER;
