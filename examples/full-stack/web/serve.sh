# Fetches the page from the application, then serves it.
set -e
mkdir /site
wget -q -O /site/index.html "$APP/cgi-bin/status"
echo "serving what $APP said:"
cat /site/index.html
exec httpd -f -p 80 -h /site
