"""AWS Step Functions (Amazon States Language): definitions in JSON, JSON5 and YAML, alone or inside templates."""
