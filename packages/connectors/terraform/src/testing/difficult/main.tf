# A machine that is a file, in a cloud that refuses what a file of a certain name says it should.

variable "name" {
  type = string
}

variable "folder" {
  type = string
}

variable "image" {
  type    = string
  default = "none"
}

variable "tags" {
  type = map(string)
}

variable "key" {
  type      = string
  default   = ""
  sensitive = true
}

resource "terraform_data" "machine" {
  input = "${var.folder}/${var.name}"

  provisioner "local-exec" {
    command = <<-EOT
      while [ -e "$FOLDER/slow" ]; do sleep 0.1; done
      ! cat "$FOLDER/refuses" >&2 2>/dev/null || exit 1
      echo "$IMAGE $NODE $${#KEY}" >>"$MACHINE"
    EOT
    quiet   = true
    environment = {
      FOLDER  = var.folder
      MACHINE = self.input
      IMAGE   = var.image
      NODE    = var.tags["paceline-node"]
      KEY     = var.key
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "test ! -e \"$(dirname \"$MACHINE\")/keeps\" && rm -f \"$MACHINE\""
    environment = {
      MACHINE = self.output
    }
  }
}

output "public_ips" {
  value = ["203.0.113.7"]
}

output "login" {
  value = "admin"
}
