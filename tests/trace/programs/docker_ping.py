"""Ask a Docker daemon whether it is there, each time with a client of its own."""

import sys

import docker

for _ in range(4):
    client = docker.DockerClient(sys.argv[1].replace("http", "tcp"), version="1.41")
    client.ping()  # here
    client.close()
