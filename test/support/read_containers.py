"""What a container engine starts for a file: prints {name: {"argv", "env", "cwd"}} as JSON.

An independent reading: PyYAML takes the file apart, and the engine's own rules for variables are written down here from
its specification.
"""

import json
import re
import sys

import yaml


def compose(text):
    """Compose: ``$$`` is a dollar sign; every other one would begin a variable."""

    def expand(value):
        if isinstance(value, list):
            return [expand(item) for item in value]
        if isinstance(value, dict):
            return {key: expand(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        if re.search(r"\$", value.replace("$$", "")):
            raise SystemExit(f"a variable of Compose: {value!r}")
        return value.replace("$$", "$")

    services = expand(yaml.safe_load(text)["services"])
    return {
        name: {"argv": one["command"], "env": one.get("environment", {}), "cwd": one["working_dir"]}
        for name, one in services.items()
    }


def kubernetes(text):
    """Kubernetes: ``$(NAME)`` is a variable of the container if there is one, ``$$`` is a dollar sign."""
    found = {}
    for document in yaml.safe_load_all(text):
        template = pod_of(document)
        if template is None:
            continue
        (container,) = template["spec"]["containers"]
        env = {}
        for variable in container.get("env", []):
            # Those that are written before it.
            env[variable["name"]] = substitute(variable["value"], env)
        words = container.get("command", []) + container.get("args", [])
        found[template["metadata"]["labels"]["app.kubernetes.io/name"]] = {
            "argv": [substitute(word, env) for word in words],
            "env": env,
            "cwd": container["workingDir"],
        }
    return found


def pod_of(document):
    spec = document.get("spec", {})
    return spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")


def substitute(text, env):
    """As in third_party/forked/golang/expansion: what is not a variable stays as it is."""

    def one(match):
        whole, name = match.group(0), match.group(1)
        if whole == "$$":
            return "$"
        return env.get(name, whole)

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text, flags=re.DOTALL)


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        json.dump({"compose": compose, "kubernetes": kubernetes}[sys.argv[1]](file.read()), sys.stdout)
