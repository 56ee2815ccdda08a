output "platform" {
  description = "What commands, runbooks and CI need to know of the applied platform (modules/platform/outputs.tf)."
  value       = module.platform
}
