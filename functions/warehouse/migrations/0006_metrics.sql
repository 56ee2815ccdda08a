-- Gold's tables under the names that analysts know. The batch job computes them; nothing is computed again here.
-- A view of an external table must be late-binding. Redshift resolves its columns at each query, so a column that the
-- batch job adds to gold appears without a migration; a new table needs one.
CREATE VIEW metrics.daily AS SELECT * FROM gold.daily WITH NO SCHEMA BINDING;
CREATE VIEW metrics.revenue AS SELECT * FROM gold.revenue WITH NO SCHEMA BINDING;
CREATE VIEW metrics.retention AS SELECT * FROM gold.retention WITH NO SCHEMA BINDING;
CREATE VIEW metrics.lifetime_value AS SELECT * FROM gold.lifetime_value WITH NO SCHEMA BINDING;
CREATE VIEW metrics.economy AS SELECT * FROM gold.economy WITH NO SCHEMA BINDING;
CREATE VIEW metrics.progression AS SELECT * FROM gold.progression WITH NO SCHEMA BINDING;
CREATE VIEW metrics.stability AS SELECT * FROM gold.stability WITH NO SCHEMA BINDING;
CREATE VIEW metrics.performance AS SELECT * FROM gold.performance WITH NO SCHEMA BINDING;
CREATE VIEW metrics.design AS SELECT * FROM gold.design WITH NO SCHEMA BINDING;
CREATE VIEW metrics.ads AS SELECT * FROM gold.ads WITH NO SCHEMA BINDING;
CREATE VIEW metrics.tutorial AS SELECT * FROM gold.tutorial WITH NO SCHEMA BINDING;
CREATE VIEW metrics.acquisition AS SELECT * FROM gold.acquisition WITH NO SCHEMA BINDING;
CREATE VIEW metrics.acquisition_value AS SELECT * FROM gold.acquisition_value WITH NO SCHEMA BINDING;
CREATE VIEW metrics.total_revenue AS SELECT * FROM gold.total_revenue WITH NO SCHEMA BINDING;
CREATE VIEW metrics.performance_bins AS SELECT * FROM gold.performance_bins WITH NO SCHEMA BINDING;
CREATE VIEW metrics.matches AS SELECT * FROM gold.matches WITH NO SCHEMA BINDING;
CREATE VIEW metrics.experiments AS SELECT * FROM gold.experiments WITH NO SCHEMA BINDING;
CREATE VIEW metrics.experiment_design AS SELECT * FROM gold.experiment_design WITH NO SCHEMA BINDING;
CREATE VIEW metrics.experiment_revenue AS SELECT * FROM gold.experiment_revenue WITH NO SCHEMA BINDING;
