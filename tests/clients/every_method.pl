# Calls every method of Mon::Client, as somebody's script would, and prints what comes back.
#
#     perl every_method.pl PORT TRAPPORT
use strict;
use warnings;
use Data::Dumper;
use Mon::Client;

$Data::Dumper::Sortkeys = 1;
$Data::Dumper::Indent   = 1;
$Data::Dumper::Terse    = 1;

# Whoever does not answer at all has answered wrongly.
$SIG{ALRM} = sub { print "no answer\n"; exit 1 };
alarm 30;

my ($port, $trapport) = @ARGV;
my $client = Mon::Client->new(host => "127.0.0.1", port => $port);

# Prints a result: countdowns and process ids are not the same in any two runs.
sub show {
    my ($name, @result) = @_;
    my $text = Dumper(\@result, $client->error);
    $text =~ s/'(timer|failure_duration|monitor_duration|pid)' => '?-?\d+'?/'$1' => N/g;
    $text =~ s/PID \d+\S*/PID N/g;
    $text =~ s/'\d+'/'N'/g if $name eq "list_pids";
    print "== $name\n$text";
}

# A hash comes as a list, whose order means nothing.
sub show_hash { my ($name, %hash) = @_; show($name, \%hash) }

sub action {
    my ($method, @args) = @_;
    show("$method @args", scalar $client->$method(@args));
}

show("not connected", scalar $client->connected, scalar $client->list_state);
action("connect");
show("connected", scalar $client->connected ? "yes" : "no");
action("protid");
action("protid", 1234);
action("version");

show_hash($_, $client->$_) for qw(list_descriptions list_deps list_opstatus list_failures list_successes list_disabled list_aliases);
show_hash("list_opstatus of two", $client->list_opstatus(["web", "ping"], ["db", "sql"]));
show($_, $client->$_) for qw(list_alerthist list_failurehist list_views list_state list_dtlog getview);
show("list_group $_", $client->list_group($_)) for qw(web nosuch);
show("list_watch", sort map { "@$_" } $client->list_watch);
show("list_pids", $client->list_pids);

action("disable_watch",   "web");
action("disable_service", "web", "http");
action("disable_host",    "h1", "h2");
action("disable_host",    "nosuch");
show_hash("list_disabled then", $client->list_disabled);
action("enable_watch",   "web");
action("enable_service", "web", "http");
action("enable_host",    "h1", "h2");
action("ack", "web", "ping", q(it's "x" \\ ok));
show_hash("acknowledged", $client->list_failures);
action("stop");
show("stopped", ($client->list_state)[0]);
action("start");
action("setview", "operators");
show("getview", $client->getview);
show("list_watch of the view", sort map { "@$_" } $client->list_watch);
action("setview", "nosuch");
action("setview", "");
action("set_maxkeep", 7);
action("get_maxkeep");
action("get",  "web", "ping", "interval");
action("set",  "web", "ping", "interval", "7200");
action("get",  "web", "ping", "interval");
action("test", "monitor", "web", "http");
action("test_config");
action("clear", "timers", "web", "ping");
action("savestate", "all");
action("loadstate", "disabled");
action("reload", "auth");
action("reload", "nosuch");
action("checkauth", "list");
action("checkauth", "nosuch");
action("login", username => "nobody", password => "wrong");
print "servertime ", (abs($client->servertime - time) < 30 ? "now" : "wrong"), "\n";

my $sender = Mon::Client->new(host => "127.0.0.1", port => $trapport, username => "u", password => "p");
my %trap = (group => "web", service => "http", opstatus => "fail", summary => q(it's "down" \\), detail => "a\nb\n");
show("send_trap",            scalar $sender->send_trap(%trap, retval => 1));
show("send_trap bad retval", scalar $sender->send_trap(%trap, retval => "x"), $sender->error);
show("send_trap bad status", scalar $sender->send_trap(%trap, retval => 1, opstatus => "x"), $sender->error);

action("reset", "keepstate");
action("reset");
action("quit");
action("disconnect");
action("connect");
action("term");
