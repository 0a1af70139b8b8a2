// In place of modules that are loaded for tables that are not needed here.
