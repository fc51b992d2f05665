"""Ask a Docker daemon over its socket, each time with a client of its own."""

import sys

import docker

for _ in range(4):
    client = docker.DockerClient(f"unix://{sys.argv[1]}", version="1.41")
    client.ping()  # here
    client.close()
