# What Puma answers; where it listens, and what else it is told, stands below.
app do |env|
  port = env['puma.socket'].peeraddr[1]
  File.write(ENV['SEEN'], "#{port}\n", mode: 'a')
  [200, { 'Content-Type' => 'text/plain' }, ["keep-alive\n"]]
end
