// SPDX-License-Identifier: GPL-2.0

// Requests over HTTP, each from another address of a prefix:
//
//	ip -6 route add local 2001:db8:5::/64 dev lo
//	CGO_ENABLED=0 go build requests.go
//	requests 2001:db8:c::2 2001:db8:5:: 10000
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

func request(server string, from net.IP) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://[" + server + "]/")
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		log.Fatal(response.Status)
	}
}

func main() {
	count, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	for n := 1; n <= count; n++ {
		request(os.Args[1], net.ParseIP(fmt.Sprintf("%s%x", os.Args[2], n)))
	}
}
