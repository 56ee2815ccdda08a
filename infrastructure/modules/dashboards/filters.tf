locals {
  # A control's value is asked of the column of every table that is named; it is "*" or one value, never both.
  selections = {
    Country  = { column = "country", default = "*", of = "daily", tables = keys(local.tables) }
    Currency = { column = "currency", default = var.defaults.currency, of = "revenue", tables = ["lifetime_value", "revenue"] }
    Game     = { column = "game_id", default = var.defaults.game, of = "daily", tables = keys(local.tables) }
    Measure  = { column = "measure", default = "fps", of = "performance", tables = ["performance"] }
    Platform = { column = "platform", default = "*", of = "daily", tables = keys(local.tables) }
    Version  = { column = "app_version", default = "*", of = "daily", tables = keys(local.tables) }
  }

  parameters = { for table in keys(local.tables) : table => { for name, selection in local.selections : selection.column => name if contains(selection.tables, table) } }

  # A row of "*" stands beside those of each value. Whoever breaks a visual down by a column leaves it out, anyone else
  # takes it alone or the value of the control: no player is ever added to themselves.
  totals  = ["app_version", "country", "platform", "reason"]
  remains = { milestone = "other" }

  restrictions = { for visual in local.visuals : visual.id => merge(
    { for column in setintersection(local.totals, keys(local.tables[visual.table])) : column => { EQUALS = { CategoryValue = "*" } } },
    { for column, parameter in local.parameters[visual.table] : column => { EQUALS = { ParameterName = parameter } } },
    { for column in setintersection(values(local.selections)[*].column, concat(visual.categories, visual.splits)) : column => {} },
    { for column in setintersection(local.totals, concat(visual.categories, visual.splits)) : column => { DOES_NOT_EQUAL = { CategoryValue = "*" } } },
    { for column in setintersection(keys(local.remains), visual.splits) : column => { DOES_NOT_EQUAL = { CategoryValue = local.remains[column] } } },
    { for column, value in visual.only : column => { EQUALS = { CategoryValue = value } } },
  ) }

  # The visuals that share a restriction share a filter.
  restricted = { for entry in flatten([for visual in local.visuals : [
    for column, restriction in local.restrictions[visual.id] : [
      for operator, value in restriction : {
        key    = replace(join("-", concat([visual.table, column, lower(operator)], [for text in values(value) : text == "*" ? "all" : text])), "/[^A-Za-z0-9-]/", "-")
        filter = { column = column, operator = operator, table = visual.table, value = value }
        visual = visual
      }
    ]
  ]]) : entry.key => entry... }

  category_filters = { for key, entries in local.restricted : key => {
    filter = { CategoryFilter = {
      Column        = { ColumnName = entries[0].filter.column, DataSetIdentifier = entries[0].filter.table }
      Configuration = { CustomFilterConfiguration = merge(entries[0].filter.value, { MatchOperator = entries[0].filter.operator, NullOption = "NON_NULLS_ONLY" }) }
      FilterId      = key
    } }
    visuals = entries[*].visual
  } }

  date_filters = { for table, column in local.day_columns : "${replace(table, "_", "-")}-days" => {
    filter = { TimeRangeFilter = {
      Column            = { ColumnName = column, DataSetIdentifier = table }
      FilterId          = "${replace(table, "_", "-")}-days"
      IncludeMaximum    = true
      IncludeMinimum    = true
      NullOption        = "NON_NULLS_ONLY"
      RangeMaximumValue = { Parameter = "To" }
      RangeMinimumValue = { Parameter = "From" }
      TimeGranularity   = "DAY"
    } }
    visuals = [for visual in local.visuals : visual if visual.table == table]
  } }

  filter_groups = [for key, group in merge(local.category_filters, local.date_filters) : {
    CrossDataset  = "SINGLE_DATASET"
    FilterGroupId = "${key}-group"
    Filters       = [group.filter]
    ScopeConfiguration = { SelectedSheets = { SheetVisualScopingConfigurations = [
      for sheet in distinct(group.visuals[*].sheet) : {
        Scope     = "SELECTED_VISUALS"
        SheetId   = sheet
        VisualIds = [for visual in group.visuals : visual.id if visual.sheet == sheet]
      }
    ] } }
    Status = "ENABLED"
  }]

  # Today is not over: a KPI would compare it with a whole day.
  days = {
    From = "addDateTime(-${var.defaults.days}, 'DD', truncDate('DD', now()))"
    To   = "addDateTime(-1, 'DD', truncDate('DD', now()))"
  }

  parameter_declarations = concat(
    [for name, expression in local.days : { DateTimeParameterDeclaration = {
      DefaultValues   = { RollingDate = { Expression = expression } }
      Name            = name
      TimeGranularity = "DAY"
    } }],
    [for name, selection in local.selections : { StringParameterDeclaration = merge(
      { for value in compact([selection.default]) : "DefaultValues" => { StaticValues = [value] } },
      { Name = name, ParameterValueType = "SINGLE_VALUED" },
    ) }],
  )

  # Of each sheet: the controls that any of its visuals asks.
  asked = { for sheet in distinct(local.visuals[*].sheet) : sheet => distinct(flatten([
    for visual in local.visuals : [for restriction in values(local.restrictions[visual.id]) : [for value in values(restriction) : [for name, text in value : text if name == "ParameterName"]]] if visual.sheet == sheet
  ])) }

  controls = { for sheet, asked in local.asked : sheet => concat(
    [for name in ["Game", "Platform", "Country", "Version", "Currency", "Measure"] : { Dropdown = {
      ParameterControlId  = "${sheet}-${lower(name)}"
      SelectableValues    = { LinkToDataSetColumn = { ColumnName = local.selections[name].column, DataSetIdentifier = local.selections[name].of } }
      SourceParameterName = name
      Title               = name
      Type                = "SINGLE_SELECT"
    } } if contains(asked, name)],
    [for name in keys(local.days) : { DateTimePicker = {
      ParameterControlId  = "${sheet}-${lower(name)}"
      SourceParameterName = name
      Title               = name
    } }],
  ) }
}
