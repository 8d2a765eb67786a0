"""Judges objects by the published schemas of some versions of Kubernetes, strictly: an unknown field is wrong.

    validate_kubernetes.py VERSION[,VERSION...] FILE

Prints what is wrong, a line each.
"""

import sys

import kubernetes_validate
import yaml

versions, path = sys.argv[1].split(","), sys.argv[2]
with open(path, encoding="utf-8") as file:
    documents = list(yaml.safe_load_all(file))
for version in versions:
    for document in documents:
        where = f"{version} {document['kind']} {document['metadata']['name']}"
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            print(f"{where}: {'.'.join(str(step) for step in error.path)}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            print(f"{where}: {error.message}")
