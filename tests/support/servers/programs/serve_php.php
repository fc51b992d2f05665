<?php
// What PHP's own server answers.
file_put_contents(getenv('SEEN'), $_SERVER['REMOTE_PORT'] . "\n", FILE_APPEND);
echo "keep-alive\n";
