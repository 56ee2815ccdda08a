"""Weekly advice on what to size otherwise: with evidence, the saving, and the Terraform value to change."""
