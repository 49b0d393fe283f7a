# Machines that are processes of this host: what a provider would do is done by the shell.

variable "name" {
  type = string
}

variable "user_data_base64" {
  type = string
}

variable "folder" {
  type        = string
  description = "Where the machines lie"
}

resource "terraform_data" "machine" {
  input = "${var.folder}/${var.name}"

  provisioner "local-exec" {
    command = <<-EOT
      mkdir -p "$MACHINE" && cd "$MACHINE" || exit 1
      printf %s "$USER_DATA" | base64 -d >user-data && chmod 700 user-data || exit 1
      echo made >>made
      setsid sh -c './user-data; exec sleep 86400' </dev/null >console 2>&1 &
      echo $! >pid
    EOT
    environment = {
      MACHINE   = self.input
      USER_DATA = var.user_data_base64
    }
  }

  provisioner "local-exec" {
    when    = destroy
    command = "kill -s KILL -- -$(cat \"$MACHINE/pid\") 2>/dev/null; rm -rf \"$MACHINE\""
    environment = {
      MACHINE = self.output
    }
  }
}

output "private_ip" {
  value = "127.0.0.1"
}
