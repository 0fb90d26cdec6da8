# The auditor as a CloudFormation stack of Terraform. `folder` is what `sg-audit unpack` wrote, so that Terraform needs
# neither Rust nor sam. See docs/releases.md.

terraform {
  required_version = ">= 1.3"
  required_providers {
    archive = { source = "hashicorp/archive", version = ">= 2.4" }
    aws     = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

variable "folder" {
  description = "The folder that `sg-audit unpack` wrote."
  type        = string
}

variable "bucket" {
  description = "The name of a bucket in the same region, for the function and the templates."
  type        = string
}

variable "stack_name" {
  description = "The name of the stack."
  type        = string
  default     = "typo3-sg-auditor"
}

variable "parameters" {
  description = "Parameters of template.yaml, such as AlertEmail and SshSources."
  type        = map(string)
}

data "aws_s3_bucket" "files" {
  bucket = var.bucket
}

# A baseline of your own, if there is one in this folder.
data "archive_file" "layer" {
  type        = "zip"
  source_dir  = "${var.folder}/layer"
  output_path = "${path.root}/.terraform/typo3-sg-auditor-layer.zip"
}

locals {
  template = file("${var.folder}/template.yaml")
  # The template names the zip for its processor.
  zip   = regex("\n      CodeUri: (function-[a-z0-9_]+\\.zip)\n", local.template)[0]
  parts = fileset(var.folder, "stacks/*.yaml")

  # What has other contents gets another key, so that CloudFormation sees the change.
  contents = sha256(join("", [for part in local.parts : filesha256("${var.folder}/${part}")]))
  prefix   = "${var.stack_name}/${local.contents}"
  zip_key  = "${var.stack_name}/${filesha256("${var.folder}/${local.zip}")}.zip"
  layer    = "${var.stack_name}/${data.archive_file.layer.output_sha256}.zip"
  url      = "https://${data.aws_s3_bucket.files.bucket_regional_domain_name}"

  # As `aws cloudformation package` would leave it: paths of this machine become those of the bucket.
  with_code  = replace(local.template, "\n      CodeUri: ${local.zip}\n", "\n      CodeUri: s3://${var.bucket}/${local.zip_key}\n")
  with_layer = replace(local.with_code, "\n      ContentUri: layer\n", "\n      ContentUri: s3://${var.bucket}/${local.layer}\n")
  packaged   = replace(local.with_layer, "/TemplateURL: (stacks/[a-z-]+\\.yaml)/", "TemplateURL: ${local.url}/${local.prefix}/$1")
}

resource "aws_s3_object" "function" {
  bucket = var.bucket
  key    = local.zip_key
  source = "${var.folder}/${local.zip}"
}

resource "aws_s3_object" "layer" {
  bucket = var.bucket
  key    = local.layer
  source = data.archive_file.layer.output_path
}

resource "aws_s3_object" "part" {
  for_each = local.parts
  bucket   = var.bucket
  key      = "${local.prefix}/${each.key}"
  source   = "${var.folder}/${each.key}"
}

# CloudFormation takes at most 51,200 bytes without a bucket.
resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "${var.stack_name}/${sha256(local.packaged)}.yaml"
  content = local.packaged
}

resource "aws_cloudformation_stack" "auditor" {
  name         = var.stack_name
  template_url = "${local.url}/${aws_s3_object.template.key}"
  parameters   = var.parameters
  # It has roles, and a transform (SAM).
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  depends_on   = [aws_s3_object.function, aws_s3_object.layer, aws_s3_object.part]
}

output "outputs" {
  description = "The outputs of the stack, such as FindingsTopic."
  value       = aws_cloudformation_stack.auditor.outputs
}
