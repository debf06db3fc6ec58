module github.com/lightshuttle/lightshuttle

go 1.26
