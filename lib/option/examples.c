// SPDX-License-Identifier: GPL-2.0-only
/* option/examples.c - the examples of --help: a command line, and what it does. */
#include <string.h>

#include "base/count.h"
#include "option/internal.h"

static const char *const inject[] = {
	"flowgen inject shop/cart-0 10.0.0.9:443",
	"What would happen to a TCP SYN of this pod now, and who decides?",
	"flowgen inject shop/cart-0 10.0.0.10 --dns example.com --reply",
	"Send a DNS query, and follow its answer back",
	"flowgen inject -n shop cart-0 10.0.0.0/28:22,80,443 --summary",
	"Which of these addresses and ports may it reach?",
	"flowgen inject shop/cart-0 pod:pay/db-0:5432 --expect deny",
	"Exit with status 1 unless policy denies it",
	"flowgen inject shop/cart-0 10.0.0.9:80 --until allow",
	"Send again and again: how long does a new policy take?",
	NULL
};

static const char *const catch[] = {
	"flowgen catch pay/db-0 --dst 10.0.0.9 --dport 5432",
	"Report each packet to this address and port",
	"flowgen catch pay/db-0 --trace-id 7 --count 1",
	"Wait for the packet that `flowgen inject --trace-id 7` sends on another node",
	"flowgen catch pay/db-0 --proto icmp --duration 10s",
	"Report what arrives in ten seconds",
	NULL
};

static const char *const run[] = {
	"flowgen run policy.yaml",
	"Send the probes of a file, and report what is not as expected",
	"flowgen run policy.yaml --junit results.xml --report matrix.html",
	"The same for CI, and a page for people",
	"flowgen run policy.yaml --set POD=shop/cart-0 --only dns",
	"One of its variables, and some of its probes",
	"flowgen run policy.yaml --watch",
	"Again and again: report what changes",
	"flowgen run policy.yaml --record > now.yaml",
	"Write down what holds now",
	NULL
};

static const char *const diff[] = { "flowgen run policy.yaml --output json > before.json",
				    "Before a change; the same to after.json behind it",
				    "flowgen diff before.json after.json",
				    "What has changed? Exit status 1: something has",
				    "flowgen diff --pods cart.json web.json",
				    "What may one pod reach, and another not?",
				    NULL };

static const char *const pods[] = { "flowgen pods",
				    "Pods, addresses, devices and the programs on their paths",
				    "flowgen pods --output json | jq -r .name",
				    "Their names, for a script", NULL };

static const char *const exec_[] = {
	"flowgen exec shop/cart-0 -- curl -m 5 http://10.0.0.9/",
	"Does an HTTP request of this pod get an answer?",
	"flowgen exec shop/cart-0 --report - -- dig example.com",
	"And which programs decided about its packets?",
	"flowgen exec shop/cart-0 --expect deny:443/tcp -- nc -z 10.0.0.9 443",
	"Exit with status 1 unless policy denies it",
	"flowgen exec shop/cart-0 --dns host -- ping -c 3 www.example.com",
	"Look names up as the host does",
	"flowgen exec shop/cart-0 -- bash",
	"A shell of the host in the pod's network",
	NULL
};

static const char *const kube[] = {
	"kubectl flowgen inject shop/cart-0 svc:pay/db:5432",
	"What would happen to this connection now, and who decides?",
	"kubectl flowgen inject -n shop cart-0 10.0.0.10 --dns example.com --reply",
	"Send a DNS query as this pod, and follow its answer back",
	"kubectl flowgen exec shop/cart-0 -- curl -m 5 http://db.pay",
	"Run a command of the agent's image as if it ran in this pod",
	"kubectl flowgen run --record -A > scenario.yaml",
	"Write down which pods reach which services now",
	"kubectl flowgen check",
	"What do the nodes allow?",
	NULL
};

const char *const fg_option_verbs[] = { "inject", "catch", "run",   "diff", "pods", "check",
					"demo",	  "exec",  "agent", "kube", NULL };

static const struct {
	const char *verb;
	const char *const *examples;
} all[] = { { "pods", pods }, { "diff", diff },	 { "inject", inject }, { "catch", catch },
	    { "run", run },   { "exec", exec_ }, { "kube", kube } };

const char *const *fg_option_examples(const char *verb)
{
	for (size_t i = 0; i < COUNT(all); i++)
		if (!strcmp(all[i].verb, verb))
			return all[i].examples;
	return NULL;
}
