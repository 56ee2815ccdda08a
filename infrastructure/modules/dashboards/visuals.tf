locals {
  # What only QuickSight can divide: sums over the cohorts or levels that a reader has chosen.
  calculations = {
    economy        = { net_amount = "sum(ifelse({flow} = 'source', {amount}, -{amount}))" }
    lifetime_value = { value_minor = "sum({gross_minor}) / sum({cohort_players})" }
    progression    = { completion_share = "sum({completes}) / sum({starts})" }
    retention = {
      milestone       = "ifelse(${join(", ", [for day in [1, 3, 7, 14, 30, 60, 90] : format("{day_number} = %d, 'D%02d'", day, day)])}, 'other')"
      retention_share = "sum({retained_players}) / sum({cohort_players})"
      rolling_share   = "sum({rolling_players}) / sum({cohort_players})"
    }
  }

  percentages = [
    "completion_share", "crash_free_players", "crash_free_sessions", "first_purchase_conversion", "payer_conversion",
    "retention_share", "rolling_share", "stickiness",
  ]

  # Each line of visuals.csv is a visual: values by a category, a line or bar for each value of split, of the rows in only.
  visuals = [
    for line in csvdecode(file("${path.module}/visuals.csv")) : {
      aggregation = line.aggregation
      categories  = split(" ", line.category)
      id          = replace(lower(line.title), "/[^a-z0-9]+/", "-")
      kind        = line.kind
      only        = { for pair in compact([line.only]) : split("=", pair)[0] => split("=", pair)[1] }
      sheet       = replace(lower(line.sheet), "/[^a-z0-9]+/", "-")
      splits      = compact([line.split])
      table       = line.table
      title       = line.title
      values      = split(" ", line.values)
    }
  ]

  columns = { for visual in local.visuals : visual.id => { for name in concat(visual.categories, visual.splits, visual.values) : name => {
    Column  = { ColumnName = name, DataSetIdentifier = visual.table }
    FieldId = "${visual.id}.${name}"
  } } }

  # As a category or split a column is of its type's kind; text where QuickSight calculates it.
  dimensions = { for visual in local.visuals : visual.id => { for name in concat(visual.categories, visual.splits) : name => {
    DATETIME = { DateDimensionField = merge(local.columns[visual.id][name], { DateGranularity = visual.kind == "heat" ? "WEEK" : "DAY" }) }
    INTEGER  = { NumericalDimensionField = local.columns[visual.id][name] }
    STRING   = { CategoricalDimensionField = local.columns[visual.id][name] }
  }[lookup(local.tables[visual.table], name, "STRING")] } }

  # What QuickSight calculates is aggregated by itself.
  measures = { for visual in local.visuals : visual.id => [for name in visual.values : {
    NumericalMeasureField = merge(
      local.columns[visual.id][name],
      { for function in [visual.aggregation] : "AggregationFunction" => { SimpleNumericalAggregation = function } if contains(keys(local.tables[visual.table]), name) },
    )
  }] }

  wells = { for visual in local.visuals : visual.id => {
    Category = [for name in visual.categories : local.dimensions[visual.id][name]]
    Colors   = [for name in visual.splits : local.dimensions[visual.id][name]]
    Values   = local.measures[visual.id]
  } }

  # A KPI shows the last day of its trend, so that no days of unique players are added.
  charts = { for visual in local.visuals : visual.id => {
    area = { LineChartVisual = {
      FieldWells        = { LineChartAggregatedFieldWells = local.wells[visual.id] }
      SortConfiguration = { CategorySort = [{ FieldSort = { Direction = "ASC", FieldId = "${visual.id}.${visual.categories[0]}" } }] }
      Type              = "STACKED_AREA"
    } }
    bar = { BarChartVisual = {
      BarsArrangement = "STACKED"
      FieldWells      = { BarChartAggregatedFieldWells = local.wells[visual.id] }
      Orientation     = "VERTICAL"
    } }
    heat = { HeatMapVisual = {
      FieldWells = { HeatMapAggregatedFieldWells = {
        Columns = local.wells[visual.id].Colors
        Rows    = local.wells[visual.id].Category
        Values  = local.measures[visual.id]
      } }
    } }
    kpi = { KPIVisual = {
      FieldWells = { TrendGroups = local.wells[visual.id].Category, Values = local.measures[visual.id] }
    } }
    line = { LineChartVisual = {
      FieldWells        = { LineChartAggregatedFieldWells = local.wells[visual.id] }
      SortConfiguration = { CategorySort = [{ FieldSort = { Direction = "ASC", FieldId = "${visual.id}.${visual.categories[0]}" } }] }
      Type              = "LINE"
    } }
    table = { TableVisual = {
      FieldWells = { TableAggregatedFieldWells = { GroupBy = local.wells[visual.id].Category, Values = local.measures[visual.id] } }
    } }
  }[visual.kind] }

  # KPIs stand in fours on top, all else in pairs below.
  sizes = { kpi = { across = 4, height = 6 }, chart = { across = 2, height = 10 } }

  shelves = { for sheet in distinct(local.visuals[*].sheet) : sheet => {
    kpi   = [for visual in local.visuals : visual.id if visual.sheet == sheet && visual.kind == "kpi"]
    chart = [for visual in local.visuals : visual.id if visual.sheet == sheet && visual.kind != "kpi"]
  } }

  layouts = { for sheet, shelves in local.shelves : sheet => flatten([for shelf in ["kpi", "chart"] : [
    for index, id in shelves[shelf] : {
      ColumnIndex = index % local.sizes[shelf].across * 36 / local.sizes[shelf].across
      ColumnSpan  = 36 / local.sizes[shelf].across
      ElementId   = id
      ElementType = "VISUAL"
      RowIndex    = floor(index / local.sizes[shelf].across) * local.sizes[shelf].height + (shelf == "chart" ? ceil(length(shelves.kpi) / local.sizes.kpi.across) * local.sizes.kpi.height : 0)
      RowSpan     = local.sizes[shelf].height
    }
  ]]) }
}
