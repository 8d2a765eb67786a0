# Written by `prodserver export nomad` for shop; change the declaration and run it again.
job "shop" {
  type = "service"

  group "web" {
    count = 1

    network {
      port "http" {
        to = 8000
      }
    }

    service {
      name     = "shop-web"
      port     = "http"
      provider = "nomad"

      check {
        type     = "tcp"
        interval = "10s"
        timeout  = "5s"
      }
    }

    update {
      max_parallel      = 1
      canary            = 1
      auto_promote      = true
      auto_revert       = true
      min_healthy_time  = "10s"
      healthy_deadline  = "300s"
      progress_deadline = "600s"
    }

    restart {
      attempts = 10
      interval = "600s"
      delay    = "1s"
      mode     = "fail"
    }

    reschedule {
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = true
    }

    task "web" {
      driver         = "docker"
      kill_signal    = "SIGTERM"
      kill_timeout   = "30s"
      shutdown_delay = "5s"

      config {
        image   = "registry.example.com/shop:1.4"
        command = "python"

        args = [
          "-m",
          "uvicorn",
          "--host=0.0.0.0",
          "--port=8000",
          "--workers=4",
          "--log-level=info",
          "myproject.asgi:application",
        ]

        work_dir = "/app"
        init     = true
        ports    = ["http"]
      }

      env {
        DJANGO_SETTINGS_MODULE = "myproject.settings"
      }

      template {
        destination = "secrets/1.env"
        env         = true

        data = <<EOT
{{ with nomadVar "nomad/jobs/shop" }}{{ range .Tuples }}
{{ .K }}={{ printf "%q" .V }}
{{ end }}{{ end }}
EOT
      }

      resources {
        cpu    = 500
        memory = 512
      }

      logs {
        max_files     = 6
        max_file_size = 10
      }
    }
  }

  group "worker" {
    count = 1

    update {
      max_parallel      = 1
      auto_revert       = true
      min_healthy_time  = "5s"
      healthy_deadline  = "300s"
      progress_deadline = "600s"
    }

    restart {
      attempts = 10
      interval = "600s"
      delay    = "1s"
      mode     = "fail"
    }

    reschedule {
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = true
    }

    task "worker" {
      driver       = "docker"
      kill_signal  = "SIGTERM"
      kill_timeout = "300s"

      config {
        image   = "registry.example.com/shop:1.4"
        command = "python"

        args = [
          "-m",
          "celery",
          "-A",
          "myproject.celery.app",
          "worker",
          "--concurrency=4",
          "--loglevel=info",
          "--max-tasks-per-child=1000",
        ]

        work_dir = "/app"
        init     = true
      }

      env {
        DJANGO_SETTINGS_MODULE = "myproject.settings"
      }

      template {
        destination = "secrets/1.env"
        env         = true

        data = <<EOT
{{ with nomadVar "nomad/jobs/shop" }}{{ range .Tuples }}
{{ .K }}={{ printf "%q" .V }}
{{ end }}{{ end }}
EOT
      }

      resources {
        cpu    = 500
        memory = 512
      }

      logs {
        max_files     = 6
        max_file_size = 10
      }
    }
  }

  group "beat" {
    count = 1

    update {
      max_parallel      = 1
      auto_revert       = true
      min_healthy_time  = "1s"
      healthy_deadline  = "300s"
      progress_deadline = "600s"
    }

    restart {
      attempts = 10
      interval = "600s"
      delay    = "1s"
      mode     = "fail"
    }

    reschedule {
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = true
    }

    task "beat" {
      driver       = "docker"
      kill_signal  = "SIGTERM"
      kill_timeout = "10s"

      config {
        image    = "registry.example.com/shop:1.4"
        command  = "python"
        args     = ["-m", "celery", "-A", "myproject.celery.app", "beat", "--loglevel=info"]
        work_dir = "/app"
        init     = true
      }

      env {
        DJANGO_SETTINGS_MODULE = "myproject.settings"
      }

      template {
        destination = "secrets/1.env"
        env         = true

        data = <<EOT
{{ with nomadVar "nomad/jobs/shop" }}{{ range .Tuples }}
{{ .K }}={{ printf "%q" .V }}
{{ end }}{{ end }}
EOT
      }

      resources {
        cpu    = 500
        memory = 512
      }

      logs {
        max_files     = 6
        max_file_size = 10
      }
    }
  }
}
